package crm

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

// oldError begins the warning of an error that the configuration has had before.
const oldError = "the configuration already has an error, and this change leaves it as it is: "

// verify runs crm_verify. Its exit code is 78 for anything it calls an error, and also for what it
// calls a warning, such as an option's deprecated name. The cluster accepts such a configuration,
// so warnings alone are not a refusal; nor are errors that the configuration has had before, with
// which the cluster runs.
func (t *Tools) verify(ctx context.Context, f planFiles) (warnings []string, err error) {
	out, err := t.run(ctx, nil, "crm_verify", "--verbose", "--xml-file", f.new)
	if err != nil {
		return nil, err
	}
	warnings, errs := sorted(complaints(string(out.stderr), f.xml))
	switch {
	case out.code == 0:
		return append(warnings, errs...), nil
	case out.code != exitConfig:
		return warnings, t.toolError("crm_verify", "check the configuration", out)
	case len(errs) == 0 && onlyWarnings(out):
		return t.verifyWarnings(ctx, f)
	case len(errs) == 0:
		out.stderr = bytes.ReplaceAll(out.stderr, []byte(f.new), []byte("the configuration"))
		return warnings, t.toolError("crm_verify", "accept the configuration", out)
	}
	// A device that is missing is not forgiven because it has been missing for long: without it
	// the cluster starts nothing.
	fencing, others := aboutFencing(errs)
	fresh, old, err := t.freshErrors(ctx, f, others)
	if err != nil {
		return warnings, err
	}
	for _, e := range old {
		warnings = append(warnings, oldError+e)
	}
	switch {
	case len(fresh) > 0:
		return warnings, &ToolError{
			Tool: "crm_verify", Code: out.code, Err: ErrRefused,
			Message: "Pacemaker refuses the configuration: " + strings.Join(fresh, "; "),
		}
	case len(fencing) > 0 && f.resources: // otherwise there is nothing to start
		return warnings, &ToolError{Tool: "crm_verify", Code: out.code, Err: ErrNoFencing,
			Message: "fencing is on (stonith-enabled) but no fencing device is configured, so " +
				"Pacemaker would start nothing: configure one, or accept a cluster without " +
				"fencing by stonith-enabled=false"}
	}
	return warnings, nil
}

// freshErrors sorts the errors into those that the plan causes and those that crm_verify finds in
// the configuration as it is.
func (t *Tools) freshErrors(ctx context.Context, f planFiles, errs []string) (fresh, old []string,
	err error) {
	if len(errs) == 0 {
		return nil, nil, nil
	}
	out, err := t.run(ctx, nil, "crm_verify", "--verbose", "--xml-file", f.base)
	if err != nil {
		return nil, nil, err
	}
	_, before := sorted(complaints(string(out.stderr), f.old))
	for _, e := range errs {
		if slices.Contains(before, e) {
			old = append(old, e)
		} else {
			fresh = append(fresh, e)
		}
	}
	return fresh, old, nil
}

// verifyWarnings runs crm_verify again, because it prints warnings only with a second --verbose.
func (t *Tools) verifyWarnings(ctx context.Context, f planFiles) ([]string, error) {
	out, err := t.run(ctx, nil, "crm_verify", "--verbose", "--verbose", "--xml-file", f.new)
	if err != nil {
		return nil, err
	}
	all, _ := sorted(complaints(string(out.stderr), f.xml))
	return slices.DeleteFunc(all, func(w string) bool {
		// stonith-enabled=false, which our callers report themselves
		return strings.HasPrefix(w, "Blind faith")
	}), nil
}

func sorted(all []complaint) (warnings, errs []string) {
	for _, c := range all {
		if c.warning {
			warnings = append(warnings, c.text)
		} else {
			errs = append(errs, c.text)
		}
	}
	return warnings, errs
}
