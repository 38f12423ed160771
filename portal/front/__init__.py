"""Pages for members and visitors that join packages: home, profiles, companies, transparency, own data."""
