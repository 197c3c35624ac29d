package main

import (
	"slices"
	"testing"
)

func TestFollowingProfile(t *testing.T) {
	for now, want := range map[string]string{"": "test", "dev": "test", "test": "prod", "prod": "dev"} {
		if got := followingProfile(now); got != want {
			t.Errorf("after %q comes %q, want %q", now, got, want)
		}
	}
	got := withProfileTag([]string{"-race", "-tags=dev,extra"}, "test")
	if want := []string{"-race", "-tags=extra,test"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
