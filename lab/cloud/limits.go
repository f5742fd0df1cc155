package cloud

import (
	"net/http"
	"strconv"
	"time"
)

// limit counts a request of the token, sets the rate-limit headers and says whether the request is
// over a limit. The windows slide: ratelimit-reset is the time at which the oldest request of the
// hour leaves it. retry-after comes with the limit per minute only. See
// https://docs.digitalocean.com/reference/api/intro/#rate-limit
func (c *Cloud) limit(h http.Header, token string) (over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.opts.Now()
	past := c.history[token]
	for len(past) > 0 && !past[0].After(now.Add(-time.Hour)) {
		past = past[1:]
	}
	minute := len(past)
	for minute > 0 && past[minute-1].After(now.Add(-time.Minute)) {
		minute--
	}
	inMinute := past[minute:]
	switch {
	case c.opts.PerMinute > 0 && len(inMinute) >= c.opts.PerMinute:
		wait := inMinute[len(inMinute)-c.opts.PerMinute].Add(time.Minute).Sub(now)
		h.Set("Retry-After", seconds(wait))
		over = true
	case c.opts.Hourly > 0 && len(past) >= c.opts.Hourly:
		over = true
	default:
		past = append(past, now)
	}
	c.history[token] = past
	c.limitHeaders(h, past, now)
	return over
}

func (c *Cloud) limitHeaders(h http.Header, past []time.Time, now time.Time) {
	if c.opts.Hourly <= 0 {
		return
	}
	oldest := now
	if len(past) > 0 {
		oldest = past[0]
	}
	h.Set("Ratelimit-Limit", strconv.Itoa(c.opts.Hourly))
	h.Set("Ratelimit-Remaining", strconv.Itoa(max(0, c.opts.Hourly-len(past))))
	h.Set("Ratelimit-Reset", strconv.FormatInt(oldest.Add(time.Hour).Unix(), 10))
}

// seconds rounds up, as a client told to wait 0 seconds would come back at once.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
