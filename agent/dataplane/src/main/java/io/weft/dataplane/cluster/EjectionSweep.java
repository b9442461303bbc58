package io.weft.dataplane.cluster;

import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import java.util.ArrayList;
import java.util.List;

/**
 * What outlier detection does once in an interval: brings hosts back whose time is over, looks at the rate of failures of the
 * interval, and forgives those that have been back for long enough. On the timers' thread.
 */
final class EjectionSweep {
    private final ClusterState state;
    private final EjectionRule rule;
    private final List<Host> hosts = new ArrayList<>();
    private final long now;
    private boolean busy;

    private EjectionSweep(ClusterState state, ClusterView view) {
        this.state = state;
        rule = view.ejection();
        now = state.clock().nanoTime();
        for (Tier tier : view.tiers()) {
            for (Member member : tier.members()) {
                hosts.add(member.host());
            }
        }
    }

    /** @return whether the next interval has something to do even if no request comes */
    static boolean run(ClusterState state, ClusterView view) {
        return new EjectionSweep(state, view).run();
    }

    private boolean run() {
        bringBack();
        if (rule.rates()) {
            OutlierDetection policy = rule.policy();
            rates(external(), policy.successRate().enforcing(), policy.failurePercentage().enforcing());
        }
        if (rule.localRates()) {
            OutlierDetection policy = rule.policy();
            rates(local(), policy.successRate().enforcingLocal(), policy.failurePercentage().enforcingLocal());
        }
        for (Host host : hosts) {
            busy |= host.forgive(now, rule.intervalNanos());
        }
        return busy || state.ejected.get() != 0;
    }

    private void bringBack() {
        boolean changed = false;
        for (Host host : hosts) {
            if (host.isDue(now, rule) && host.comeBack()) {
                host.cameBack(now);
                state.ejected.decrementAndGet();
                changed = true;
            }
        }
        if (changed) {
            state.healthChanged();
        }
    }

    /** One host's interval. */
    private record Sample(Host host, int requests, double successPercent) {}

    private List<Sample> external() {
        List<Sample> samples = new ArrayList<>(hosts.size());
        for (Host host : hosts) {
            add(samples, host, host.takeInterval());
        }
        return samples;
    }

    private List<Sample> local() {
        List<Sample> samples = new ArrayList<>(hosts.size());
        for (Host host : hosts) {
            add(samples, host, host.takeLocalInterval());
        }
        return samples;
    }

    private static void add(List<Sample> samples, Host host, Rate.Interval interval) {
        if (interval.requests() != 0 && !host.ejected()) {
            samples.add(new Sample(host, interval.requests(), 100.0 * interval.successes() / interval.requests()));
        }
    }

    private void rates(List<Sample> samples, int successRate, int failurePercentage) {
        if (successRate != 0) {
            bySuccessRate(samples, rule.policy().successRate(), successRate);
        }
        if (failurePercentage != 0) {
            byFailurePercentage(samples, rule.policy().failurePercentage(), failurePercentage);
        }
    }

    private void bySuccessRate(List<Sample> samples, SuccessRate policy, int enforcing) {
        List<Sample> valid = new ArrayList<>(samples.size());
        double sum = 0;
        for (Sample sample : samples) {
            if (sample.requests() >= policy.requestVolume()) {
                valid.add(sample);
                sum += sample.successPercent();
            }
        }
        if (valid.isEmpty() || valid.size() < policy.minimumHosts()) {
            return;
        }
        double mean = sum / valid.size();
        double variance = 0;
        for (Sample sample : valid) {
            variance += Math.pow(sample.successPercent() - mean, 2) / valid.size();
        }
        double threshold = mean - policy.stdevFactor() / 1000.0 * Math.sqrt(variance);
        for (Sample sample : valid) {
            if (sample.successPercent() < threshold) {
                Ejection.eject(state, sample.host(), enforcing);
            }
        }
    }

    private void byFailurePercentage(List<Sample> samples, FailurePercentage policy, int enforcing) {
        List<Sample> valid = new ArrayList<>(samples.size());
        for (Sample sample : samples) {
            if (sample.requests() >= policy.requestVolume()) {
                valid.add(sample);
            }
        }
        if (valid.isEmpty() || valid.size() < policy.minimumHosts()) {
            return;
        }
        for (Sample sample : valid) {
            if (100 - sample.successPercent() >= policy.threshold()) {
                Ejection.eject(state, sample.host(), enforcing);
            }
        }
    }
}
