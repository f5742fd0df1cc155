package crmtest

import (
	"fmt"
	"strings"
)

// Crowd is the seed of a cluster in which others run n resources, and each node has a record of
// each of them: with a thousand resources that is two megabytes, nearly all of it history.
func Crowd(n int, nodes ...string) []byte {
	var resources strings.Builder
	for i := range n {
		fmt.Fprintf(&resources, `
      <primitive id="other-%[1]d" class="ocf" provider="pacemaker" type="Dummy">
        <meta_attributes id="other-%[1]d-meta">
          <nvpair id="other-%[1]d-target-role" name="target-role" value="Stopped"/>
        </meta_attributes>
        <operations>
          <op id="other-%[1]d-monitor" name="monitor" interval="10s" timeout="20s"/>
        </operations>
      </primitive>`, i)
	}
	text := strings.Replace(string(Seed(nodes...)), "<resources/>",
		"<resources>"+resources.String()+"\n    </resources>", 1)
	for _, node := range nodes {
		text = strings.Replace(text, `expected="member"/>`, history(node, n), 1)
	}
	return []byte(text)
}

// history is the end of a node's state after n resources have been probed there and not found.
func history(node string, n int) string {
	const transition = "1:0:7:00000000-0000-0000-0000-000000000000"
	var out strings.Builder
	fmt.Fprintf(&out, "expected=\"member\">\n      <lrm id=%q>\n        <lrm_resources>", node)
	for i := range n {
		fmt.Fprintf(&out, `
          <lrm_resource id="other-%[1]d" type="Dummy" class="ocf" provider="pacemaker">
            <lrm_rsc_op id="other-%[1]d_last_0" operation_key="other-%[1]d_monitor_0"`+
			` operation="monitor" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1"`+
			` transition-key="%[2]s" transition-magic="0:7;%[2]s" exit-reason="" on_node="%[3]s"`+
			` call-id="%[1]d" rc-code="7" op-status="0" interval="0" last-rc-change="1"`+
			` exec-time="3" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/>
          </lrm_resource>`, i, transition, node)
	}
	out.WriteString("\n        </lrm_resources>\n      </lrm>\n    </node_state>")
	return out.String()
}
