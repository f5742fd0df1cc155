package crm

import (
	"context"
	"fmt"
	"strings"
)

// ForgetProbe removes from the cluster's status the record that a probe found the resource running
// on the node, which Pacemaker keeps as a failure ("<resource>_last_failure_0", because it had
// expected "not running"). With that record, Pacemaker 2.1.5 restarts the resource for a change of
// a parameter that needs only a reload: unlike the probe's own record, it lacks op-restart-digest.
// It removes nothing else, and a missing record is not an error.
func (t *Tools) ForgetProbe(ctx context.Context, resource, node string) error {
	if strings.ContainsAny(resource+node, `'"`) {
		return fmt.Errorf("the name %q or %q cannot be used in an XPath", resource, node)
	}
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "cibadmin", "--delete", "--force", "--xpath", fmt.Sprintf(
		"/cib/status/node_state[@uname='%s']/lrm/lrm_resources/lrm_resource[@id='%s']/"+
			"lrm_rsc_op[@id='%[2]s_last_failure_0'][@operation='monitor'][@rc-code='0']",
		node, resource))
	if err != nil {
		return err
	}
	if out.code != 0 && out.code != exitNoSuch {
		return t.toolError("cibadmin", "remove the record of a probe from the status", out)
	}
	return nil
}
