package packaging_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVersions turns what git describe says into versions, which dpkg and rpm accept and sort as time went.
func TestVersions(t *testing.T) {
	history := []struct{ described, commits, want string }{
		{"abc1234", "411", "0~411.gabc1234"},
		{"0abc123", "412", "0~412.g0abc123"},
		{"0abc123-dirty", "412", "0~412.g0abc123.dirty"},
		{"dev", "500", "0~500.gdev"},
		{"v1.2.3-rc1", "501", "1.2.3~rc1"},
		{"v1.2.3-rc1-2-gabc1234", "503", "1.2.3~rc1+2.gabc1234"},
		{"v1.2.3-rc2", "504", "1.2.3~rc2"},
		{"v1.2.3", "504", "1.2.3"},
		{"v1.2.3-dirty", "504", "1.2.3+0.dirty"},
		{"v1.2.3-4-gabc1234", "508", "1.2.3+4.gabc1234"},
		{"v1.2.3-4-gabc1234-dirty", "508", "1.2.3+4.gabc1234.dirty"},
		{"v1.2.3-10-g0000000", "514", "1.2.3+10.g0000000"},
		{"1.2.4", "515", "1.2.4"},
		{"v1.10.0", "600", "1.10.0"},
	}
	for i, h := range history {
		version := output(t, "./version.sh", h.described, h.commits)
		require.Equal(t, h.want, version)
		output(t, "dpkg", "--validate-version", version+"-1")
		require.Equal(t, "0", output(t, "rpm", "--eval", `%{lua: print(rpm.vercmp("`+version+`", "`+version+`"))}`))
		if i > 0 {
			before := history[i-1].want
			output(t, "dpkg", "--compare-versions", before+"-1", "lt", version+"-1")
			require.Equal(t, "-1", output(t, "rpm", "--eval", `%{lua: print(rpm.vercmp("`+before+`", "`+version+`"))}`), "%s, %s", before, version)
		}
	}
	out, err := exec.CommandContext(t.Context(), "./version.sh", "v1.2/3").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "name the tag v1.2.3")
}
