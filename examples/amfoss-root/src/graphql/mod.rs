pub fn schema() -> &'static str {
    "members, attendance, streaks, projects"
}
