package digitalocean_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/digitalocean"
)

func TestRetryAfter(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, test := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"retry-after": {http.Header{"Retry-After": {"12"},
			"Ratelimit-Reset": {at(time.Minute)}}, 12 * time.Second},
		"retry-after as a date": {http.Header{"Retry-After": {now.Add(
			9 * time.Second).UTC().Format(http.TimeFormat)}}, 9 * time.Second},
		"ratelimit-reset alone": {http.Header{"Ratelimit-Reset": {at(90 * time.Second)}},
			90 * time.Second},
		"a reset that is past": {http.Header{"Ratelimit-Reset": {at(-time.Second)}}, 0},
		"neither":              {http.Header{}, 0},
		"nonsense": {http.Header{"Retry-After": {"soon"},
			"Ratelimit-Reset": {"later"}}, 0},
		"far away": {http.Header{"Retry-After": {"999999999"}}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, digitalocean.RetryAfter(test.header, now))
		})
	}
}
