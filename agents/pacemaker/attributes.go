package pacemaker

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

// PublishChecks publishes the results of checks by their names, and the failing ones as one text,
// and withdraws those of the checks that are gone. It ends at once if Pacemaker does not answer.
func (t Tools) PublishChecks(ctx context.Context, r contract.ResourceID,
	results map[string]string, gone []string, failing string) error {
	var errs Errors
	for _, name := range slices.Sorted(maps.Keys(results)) {
		if errs.Add(t.attrd(ctx, "-n", contract.CheckAttribute(r, name), "-U", results[name])) {
			return errs.Err()
		}
	}
	if errs.Add(t.WithdrawChecks(ctx, r, gone)) {
		return errs.Err()
	}
	errs.Add(t.SetOrDelete(ctx, contract.FailingAttribute(r), failing))
	return errs.Err()
}

// WithdrawChecks removes the results of checks. It ends at once if Pacemaker does not answer.
func (t Tools) WithdrawChecks(ctx context.Context, r contract.ResourceID,
	names []string) error {
	var errs Errors
	for _, name := range names {
		if errs.Add(t.attrd(ctx, "-n", contract.CheckAttribute(r, name), "-D")) ||
			errs.Add(t.attrd(ctx, "-n", contract.DoubtAttribute(r, name), "-D")) {
			break
		}
	}
	return errs.Err()
}

// Errors collects what goes wrong while several attributes are published.
type Errors struct{ all []error }

// Add adds an error, if it is one, and reports whether what is left would fare no better: Pacemaker
// does not answer, or the context has ended. With some thirty attributes, and a second for each, a
// stop would take longer than its timeout.
func (e *Errors) Add(err error) (hopeless bool) {
	e.all = append(e.all, err)
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, ErrNoCluster)
}

// Err returns the errors as one, nil if there is none.
func (e *Errors) Err() error { return errors.Join(e.all...) }

// SetOrDelete publishes a value, or removes the attribute where the value is "".
func (t Tools) SetOrDelete(ctx context.Context, name, value string) error {
	if value == "" {
		return t.attrd(ctx, "-n", name, "-D")
	}
	return t.attrd(ctx, "-n", name, "-U", value)
}

// SetAttributeWithin publishes a value that is to be written to the cluster's configuration after
// the delay at the latest, together with what other nodes publish of the same attribute meanwhile
// (attrd_updater(8), --update-both and --delay). A later call with a shorter delay hurries it.
func (t Tools) SetAttributeWithin(ctx context.Context, name, value string,
	delay time.Duration) error {
	return t.attrd(ctx, "-n", name, "-B", value, "-d", param.FormatDuration(delay))
}

// SetPrivate publishes a value that never reaches the cluster's configuration.
func (t Tools) SetPrivate(ctx context.Context, name, value string) error {
	return t.attrd(ctx, "-n", name, "-U", value, "-p")
}

// queryTimeout is how long Pacemaker may take to say what the nodes have published.
const queryTimeout = time.Second

// noSuchAttribute is the exit code of attrd_updater where no node has the attribute (CRM_EX_NOSUCH,
// crm/common/results.h).
const noSuchAttribute = 105

// QueryAttribute returns what each node has published, whether it has been written or not.
func (t Tools) QueryAttribute(ctx context.Context, name string) (map[string]string, error) {
	if err := t.hangs.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	text, err := runTool(ctx, t.AttrdUpdater, "-n", name, "-Q", "-A", "--output-as=xml")
	var exit *exitError
	if errors.As(err, &exit) && exit.code == noSuchAttribute {
		return nil, nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.hangs.note()
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
		return nil, fmt.Errorf("%s: its answer is not understood: %w", t.AttrdUpdater, err)
	}
	values := map[string]string{}
	for _, a := range answer.Attributes {
		values[a.Host] = a.Value
	}
	return values, nil
}

// SetAttribute publishes a value as a transient attribute of this node.
func (t Tools) SetAttribute(name, value string) error {
	return t.attrd(context.Background(), "-n", name, "-U", value)
}

// DeleteAttribute removes what SetAttribute published.
func (t Tools) DeleteAttribute(name string) error {
	return t.attrd(context.Background(), "-n", name, "-D")
}
