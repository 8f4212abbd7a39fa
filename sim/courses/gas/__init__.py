"""Sites with pipes and flanges, one of which may leak."""
