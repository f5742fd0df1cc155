package instance

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
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
		call.Warnf("cannot report the crash to the cluster: %v", err)
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
	return errors.Join(append(errs, in.WithdrawChecks(r, gone),
		in.SetOrDelete(contract.FailingAttribute(r), failing))...)
}

// WithdrawChecks removes the results of checks.
func (in *Instance) WithdrawChecks(r contract.ResourceID, names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, in.DeleteAttribute(contract.CheckAttribute(r, name)),
			in.DeleteAttribute(contract.DoubtAttribute(r, name)))
	}
	return errors.Join(errs...)
}

// SetOrDelete is SetAttribute, or DeleteAttribute where the value is "".
func (in *Instance) SetOrDelete(name, value string) error {
	if value == "" {
		return in.DeleteAttribute(name)
	}
	return in.SetAttribute(name, value)
}

// SetAttributeWithin publishes a value that is to be written to the cluster's configuration after
// the delay at the latest, together with what other nodes publish of the same attribute meanwhile
// (attrd_updater(8), --update-both and --delay). A later call with a shorter delay hurries it.
func (in *Instance) SetAttributeWithin(name, value string, delay time.Duration) error {
	return in.attrd("-n", name, "-B", value, "-d", param.FormatDuration(delay))
}

// SetPrivate publishes a value that never reaches the cluster's configuration.
func (in *Instance) SetPrivate(name, value string) error {
	return in.attrd("-n", name, "-U", value, "-p")
}

// queryTimeout is how long Pacemaker may take to say what the nodes have published.
const queryTimeout = time.Second

// noSuchAttribute is the exit code of attrd_updater where no node has the attribute (CRM_EX_NOSUCH,
// crm/common/results.h).
const noSuchAttribute = 105

// QueryAttribute returns what each node has published, whether it has been written or not.
func (in *Instance) QueryAttribute(ctx context.Context, name string) (map[string]string, error) {
	if err := in.attrdHangs.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	text, err := runTool(ctx, in.Tools.AttrdUpdater, "-n", name, "-Q", "-A", "--output-as=xml")
	var exit *exitError
	if errors.As(err, &exit) && exit.code == noSuchAttribute {
		return nil, nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		in.attrdHangs.note()
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Attributes []struct {
			Value string `xml:"value,attr"`
			Host  string `xml:"host,attr"`
		} `xml:"attribute"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("%s: its answer is not understood: %w", in.Tools.AttrdUpdater, err)
	}
	values := map[string]string{}
	for _, a := range answer.Attributes {
		values[a.Host] = a.Value
	}
	return values, nil
}

// SetAttribute publishes a value as a transient attribute of this node.
func (in *Instance) SetAttribute(name, value string) error {
	return in.attrd("-n", name, "-U", value)
}

// DeleteAttribute removes what SetAttribute published.
func (in *Instance) DeleteAttribute(name string) error { return in.attrd("-n", name, "-D") }
