"""A session as its record tells it: tables for programs, pages for people."""
