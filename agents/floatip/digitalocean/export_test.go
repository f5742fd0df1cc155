package digitalocean

import (
	"net/http"
	"time"
)

// Hurry makes a test's pauses and time-outs short.
func (p *Provider) Hurry(request time.Duration) *Provider {
	p.pacing = pacing{first: 2 * time.Millisecond, last: 20 * time.Millisecond}
	p.api.http.Timeout = request
	p.metadata.client.Timeout = request
	return p
}

// Firmware tells where the machine's firmware tables are.
func (p *Provider) Firmware(dir string) { p.identity.firmware = dir }

// BootID tells where the id of the boot is.
func (p *Provider) BootID(path string) { p.identity.bootID = path }

// RetryAfter is retryAfter.
func RetryAfter(h http.Header, now time.Time) time.Duration { return retryAfter(h, now) }

// ParseDropletID is parseDropletID.
func ParseDropletID(text string) (string, error) { return parseDropletID(text) }

// ParseNote is parseNote.
func ParseNote(path, boot string) (string, bool) { return parseNote(path, boot) }
