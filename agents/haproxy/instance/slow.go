package instance

import (
	"context"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// slow completes the error of something that had not ended when the operation's time was over with
// the timeout that would have to be longer. what is a sentence without its end.
func slow(ctx context.Context, what string, began time.Time, err error) error {
	return fmt.Errorf("%s after %s%s: %w", what, rounded(time.Since(began)),
		remedy(ocf.CallFrom(ctx), ": raise "), err)
}

// remedy names the timeout of the operation that a call is, and the key of hawser.yaml for it; ""
// where that is not what would help.
func remedy(call *ocf.Call, prefix string) string {
	var key string
	switch call.Action {
	case "start":
		key = contract.StartTimeoutKey
	case "reload-agent", "reload":
		key = contract.ReloadTimeoutKey
	default:
		return ""
	}
	return fmt.Sprintf("%sthe timeout of the operation %s, which is %s (%s in hawser.yaml)", prefix,
		call.Action, param.FormatDuration(call.Timeout), key)
}

// WarnIfSlow warns if HAProxy took so long to load its configuration that a start may not be done
// in time if it grows, or that a reload, which reads it twice, may not be.
func (in *Instance) WarnIfSlow(ctx context.Context, took time.Duration) {
	call := ocf.CallFrom(ctx)
	switch {
	case took > call.Timeout/2:
		call.Warnf("HAProxy took %s to load its configuration, more than half of %s. A reload "+
			"takes twice as long (%s)", rounded(took), remedy(call, ""), contract.ReloadTimeoutKey)
	case took > contract.HAProxyReloadTimeout/4:
		call.Warnf("HAProxy took %s to load its configuration. A reload takes twice as long: the "+
			"timeout of the operation reload-agent has to be three times that at least (%s in "+
			"hawser.yaml)", rounded(took), contract.ReloadTimeoutKey)
	}
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
