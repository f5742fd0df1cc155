package digitalocean

import (
	"net/http"
	"time"
)

// RetryAfter is retryAfter.
func RetryAfter(h http.Header, now time.Time) time.Duration { return retryAfter(h, now) }
