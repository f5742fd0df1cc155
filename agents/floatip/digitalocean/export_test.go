package digitalocean

import (
	"time"

	cloud "github.com/hawser-ha/hawser/internal/digitalocean"
)

// Hurry makes a test's pauses and time-outs short.
func (p *Provider) Hurry(request time.Duration) *Provider {
	p.pacing = cloud.Pacing{First: 2 * time.Millisecond, Last: 20 * time.Millisecond}
	p.api.HTTP.Timeout = request
	p.metadata.HTTP.Timeout = request
	return p
}

// Firmware tells where the machine's firmware tables are.
func (p *Provider) Firmware(dir string) { p.identity.Firmware = dir }

// BootID tells where the id of the boot is.
func (p *Provider) BootID(path string) { p.identity.BootID = path }
