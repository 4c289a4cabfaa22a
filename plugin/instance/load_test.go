package instance

import "testing"

// A server that is told to stop while it reloads has read some blocks and made no process.
func TestALoadThatIsNotPutTogetherStops(t *testing.T) {
	ld := &Load{}
	for range 2 {
		if err := ld.Stop(); err != nil {
			t.Error(err)
		}
	}
}
