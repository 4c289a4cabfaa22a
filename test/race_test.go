//go:build race

package test_test

// raceDetector is true in a test binary that the race detector is built into.
const raceDetector = true
