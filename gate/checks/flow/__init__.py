"""How many travellers will come, and how many lanes and officers that takes. Pure: counts and timetables in, numbers out."""
