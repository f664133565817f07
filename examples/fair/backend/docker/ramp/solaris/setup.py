name="solaris"
