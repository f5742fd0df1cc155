package instance

import (
	"context"
	"errors"
	"strings"

	client "github.com/hawser-ha/hawser/haproxy"

	"github.com/hawser-ha/hawser/ocf"
)

// startError is a HAProxy that did not start although nothing says that it refuses its
// configuration.
type startError struct {
	text string
	// silent is set if HAProxy said nothing.
	silent bool
}

func (e *startError) Error() string { return e.text }

// WhyNotStarted completes the error of a HAProxy whose configuration was not checked before it was
// launched. Where HAProxy did not say what is wrong, a check is made now: a faulty configuration is
// another matter than what may pass.
func (in *Instance) WhyNotStarted(ctx context.Context, failure error, sources []client.Source,
	env []string) error {
	var failed *startError
	if !errors.As(failure, &failed) || strings.Contains(failed.text, cannotBind) {
		return failure
	}
	broken := in.CheckConfig(ctx, in.ConfigPaths(), env)
	var refused *client.CheckError
	switch {
	case errors.As(broken, &refused) || ocf.CodeOf(broken) == ocf.ErrInstalled:
		return broken
	case failed.silent && client.Says(sources, "quiet"):
		return ocf.Errorf(ocf.ErrGeneric, "%w (the configuration has it say nothing: take out "+
			"`quiet` to see why)", failure)
	}
	return failure
}
