package digitalocean_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

func FuzzDropletID(f *testing.F) {
	for _, seed := range []string{"1", "12\n", "007", "-3", "", "99999999999999999999", "1e3",
		"<html>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := digitalocean.ParseDropletID(text); err == nil {
			n, err := strconv.Atoi(id)
			require.NoError(t, err)
			require.Positive(t, n)
			require.Equal(t, strings.TrimSpace(text), id)
		}
	})
}

func FuzzNote(f *testing.F) {
	f.Add("boot 12\n", "boot")
	f.Add("", "")
	f.Add("boot", "boot")
	f.Fuzz(func(t *testing.T, text, boot string) {
		path := filepath.Join(t.TempDir(), "note")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		if id, ok := digitalocean.ParseNote(path, boot); ok {
			require.Equal(t, []string{boot, id}, strings.Fields(text))
		}
	})
}
