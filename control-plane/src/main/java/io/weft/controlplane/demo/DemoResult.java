package io.weft.controlplane.demo;

import java.util.List;

/** The last line of {@code weft demo --once}. */
record DemoResult(int requests, long failed, List<StepResult> steps, boolean ok) {}
