"""The panel: pages for the people of the manual. Views see desks (services) and the domain; never tables or devices."""
