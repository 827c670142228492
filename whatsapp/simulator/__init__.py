"""A WhatsApp Cloud API to develop and test against: api.md section 8, "Simulator"."""
