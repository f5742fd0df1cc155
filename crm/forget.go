package crm

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// ForgetProbe removes from the cluster's status the record that a probe found the resource running
// on the node, which Pacemaker keeps as a failure ("<resource>_last_failure_0", because it had
// expected "not running"). With that record, Pacemaker (2.1.5, 3.0.0) restarts the resource for a
// change of a parameter that needs only a reload: unlike the probe's own record, it lacks
// op-restart-digest. It removes nothing else, and a missing record is not an error.
//
// Pacemaker itself removes the record, everywhere it has it, once the failure has expired: see
// expireProbe. Where the resource has no failure-timeout it is deleted from the CIB; from 2.1.7 on
// the cluster then elects a new DC, to which each node reports its record again, and it stays.
func (t *Tools) ForgetProbe(ctx context.Context, resource, node string) error {
	if strings.ContainsAny(resource+node, `'"`) {
		return fmt.Errorf("the name %q or %q cannot be used in an XPath", resource, node)
	}
	ctx, cancel := withLimit(ctx)
	defer cancel()
	at := fmt.Sprintf(
		"/cib/status/node_state[@uname='%s']/lrm/lrm_resources/lrm_resource[@id='%s']/"+
			"lrm_rsc_op[@id='%[2]s_last_failure_0'][@operation='monitor'][@rc-code='0']",
		node, resource)
	since, there, err := t.recordedAt(ctx, at)
	if err != nil || !there {
		return err
	}
	if t.file() != "" {
		return t.deleteRecord(ctx, at)
	}
	cib, err := t.Configuration(ctx)
	if err != nil {
		return err
	}
	if expires := cib.failureTimeout(resource); 0 < expires && expires <= longestExpiry {
		return t.expireProbe(ctx, resource, node, at, since.Add(expires))
	}
	if olderThan(value(cib.root, "crm_feature_set"), electsAnew) {
		return t.deleteRecord(ctx, at)
	}
	return nil
}

// longestExpiry is the longest failure-timeout that is waited for.
const longestExpiry = 30 * time.Second

// electsAnew is the feature set of Pacemaker 2.1.7 (include/crm/crm.h), which takes a change of the
// status by a client such as cibadmin for a reason to have every node report again
// (daemons/controld/controld_cib.c, do_cib_updated).
const electsAnew = "3.19.0"

// failureTimeout returns after what time failures of the resource expire for Pacemaker, 0 if they do
// not or that is not certain. If a failure blocks a resource they do not (Pacemaker 2.1.5,
// lib/pengine/failcounts.c).
func (c *CIB) failureTimeout(resource string) time.Duration {
	text := c.render()
	if bytes.Contains(text, []byte("on-fail")) && bytes.Contains(text, []byte(`"block"`)) {
		return 0
	}
	for _, o := range c.Objects() {
		p, ok := o.(*Primitive)
		if !ok || p.Name != resource {
			continue
		}
		text, _ := p.Meta.Get("failure-timeout")
		if after, err := ParseInterval(text); err == nil {
			return after
		}
	}
	return 0
}

// recordedAt returns when the record was made, and whether it is there.
func (t *Tools) recordedAt(ctx context.Context, at string) (since time.Time, there bool, err error) {
	out, err := t.run(ctx, nil, "cibadmin", "--query", "--xpath", at)
	switch {
	case err != nil:
		return since, false, err
	case out.code == exitNoSuch:
		return since, false, nil
	case out.code != 0:
		return since, false, t.toolError("cibadmin", "read the record of a probe", out)
	}
	var record struct {
		Changed int64 `xml:"last-rc-change,attr"`
	}
	if err := xml.Unmarshal(out.stdout, &record); err != nil {
		return since, false, fmt.Errorf("cibadmin's answer cannot be read: %w", err)
	}
	return time.Unix(record.Changed, 0), true, nil
}

func (t *Tools) deleteRecord(ctx context.Context, at string) error {
	out, err := t.run(ctx, nil, "cibadmin", "--delete", "--force", "--xpath", at)
	if err != nil {
		return err
	}
	if out.code != 0 && out.code != exitNoSuch {
		return t.toolError("cibadmin", "remove the record of a probe from the status", out)
	}
	return nil
}

// expireTime is how long the cluster may take to do what one step of expireProbe asks for.
const expireTime = 10 * time.Second

// expireProbe has Pacemaker's scheduler remove the record of the probe as an expired failure, from
// the CIB and from the node's executor. It does that only for a failure that has been counted
// (lib/pengine/unpack.c, check_operation_expiry), which this one was not: it is counted now, as one
// of 1970. The time has to be in the CIB before the count is: a count without a time does not
// expire, and a single failure may take HAProxy off the node. Both attributes go with the record;
// where they do not, they are withdrawn, and the record stays.
func (t *Tools) expireProbe(ctx context.Context, resource, node, at string, expired time.Time) error {
	count, when := "fail-count-"+resource+"#monitor_0", "last-failure-"+resource+"#monitor_0"
	counted, err := t.Private(ctx, count)
	if err != nil || counted[node] != "" { // a failure that Pacemaker has counted itself
		return err
	}
	// Pacemaker counts in whole seconds. The record has the time of the node's clock.
	wait := time.Until(expired.Add(time.Second))
	if wait > longestExpiry+time.Second {
		return nil
	}
	if err := pause(ctx, wait); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), expireTime)
		defer cancel()
		for _, name := range []string{count, when} {
			if still, err := t.Private(ctx, name); err != nil || still[node] == "1" {
				_ = t.setStatus(ctx, node, name, "--delete")
			}
		}
	}()
	if err := t.setStatus(ctx, node, when, "--update", "1"); err != nil {
		return err
	}
	stored := fmt.Sprintf("/cib/status/node_state[@uname='%s']/transient_attributes/"+
		"instance_attributes/nvpair[@name='%s'][@value='1']", node, when)
	if there, err := t.becomes(ctx, stored, true); err != nil || !there {
		return err
	}
	if err := t.setStatus(ctx, node, count, "--update", "1"); err != nil {
		return err
	}
	_, err = t.becomes(ctx, at, false)
	return err
}

// setStatus changes a transient attribute of a node.
func (t *Tools) setStatus(ctx context.Context, node, name string, how ...string) error {
	out, err := t.run(ctx, nil, "attrd_updater",
		append([]string{"--name", name, "--node", node}, how...)...)
	if err == nil && out.code != 0 {
		err = t.toolError("attrd_updater", "set the node attribute "+name+" of "+node, out)
	}
	return err
}

// becomes waits until something is in the CIB, or no longer, and reports whether it came to that.
func (t *Tools) becomes(ctx context.Context, at string, there bool) (bool, error) {
	for until := time.Now().Add(expireTime); ; {
		_, is, err := t.recordedAt(ctx, at)
		if err != nil || is == there {
			return err == nil, err
		}
		if time.Now().After(until) {
			return false, nil
		}
		if err := pause(ctx, poll); err != nil {
			return false, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
