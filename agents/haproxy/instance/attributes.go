package instance

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// publishCrash publishes the last crash as an attribute of this node.
func (in *Instance) publishCrash(ctx context.Context, s State) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || len(s.Crashes) == 0 {
		return
	}
	last := s.Crashes[len(s.Crashes)-1]
	value := contract.Crash{At: last.At, Took: last.Took, Count: len(s.Crashes)}.String()
	name := contract.CrashAttribute(contract.ResourceOf(call.Instance))
	if err := in.SetAttribute(name, value); err != nil {
		call.Warnf("cannot tell the cluster of the crash: %v", err)
	}
}

// PublishChecks publishes the results of checks by their names, and the failing ones as one text,
// and withdraws those of the checks that are gone.
func (in *Instance) PublishChecks(r contract.ResourceID, results map[string]string, gone []string,
	failing string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(results)) {
		errs = append(errs, in.SetAttribute(contract.CheckAttribute(r, name), results[name]))
	}
	for _, name := range gone {
		errs = append(errs, in.DeleteAttribute(contract.CheckAttribute(r, name)))
	}
	if failing == "" {
		errs = append(errs, in.DeleteAttribute(contract.FailingAttribute(r)))
	} else {
		errs = append(errs, in.SetAttribute(contract.FailingAttribute(r), failing))
	}
	return errors.Join(errs...)
}

// SetAttribute publishes a value as a transient attribute of this node.
func (in *Instance) SetAttribute(name, value string) error {
	return in.attrd("-n", name, "-U", value)
}

// DeleteAttribute removes what SetAttribute published.
func (in *Instance) DeleteAttribute(name string) error { return in.attrd("-n", name, "-D") }
