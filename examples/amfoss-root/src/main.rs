mod graphql;

fn main() {
    let port = std::env::var("ROOT_PORT").unwrap_or_else(|_| "3000".into());
    println!("{} at port {port}", graphql::schema());
}
