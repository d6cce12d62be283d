"""The room's wall-clock timetable: bookings, lights-off, nightly checks. It steers nothing in a session."""
