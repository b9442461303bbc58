package io.weft.it.chaos;

import io.weft.it.chaos.Load.Expectation;
import io.weft.it.harness.Wire;
import io.weft.it.harness.Wire.Conduct;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** The control plane, what leads to it, and what an agent keeps of it. */
final class ControlPlaneFaults {
    private static final int RESTARTS = 3;

    private ControlPlaneFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("control-plane-killed", "The control plane is killed and starts again", Promise.FAILS_OPEN, ControlPlaneFaults::killed),
                new Fault("control-plane-frozen", "The control plane stands still, connections stay", Promise.FAILS_OPEN, ControlPlaneFaults::frozen),
                new Fault("control-plane-partitioned", "Nothing passes between agents and control plane, nobody is told", Promise.FAILS_OPEN,
                        shop -> over(shop, Conduct.HOLD)),
                new Fault("control-plane-slow", "What the control plane sends comes a byte at a time", Promise.FAILS_OPEN, shop -> over(shop, Conduct.DRIP)),
                new Fault("control-plane-garbage", "What the control plane sends arrives as random bytes", Promise.FAILS_OPEN, shop -> over(shop, Conduct.SPOIL)),
                new Fault("control-plane-other-content", "The control plane starts again with other instances", Promise.FAILS_OPEN, ControlPlaneFaults::otherContent).ofAgents(),
                new Fault("control-plane-restarts", "The control plane is stopped and started three times", Promise.FAILS_OPEN, ControlPlaneFaults::restarts),
                new Fault("control-plane-disk-full", "The control plane cannot write its state", Promise.FAILS_OPEN, ControlPlaneFaults::diskFull).ofAgents(),
                new Fault("cache-disk-full", "An agent cannot write its cache", Promise.FAILS_OPEN, ControlPlaneFaults::cacheDiskFull).ofAgents(),
                new Fault("cache-corrupt", "An agent starts with a cache of random bytes", Promise.FAILS_OPEN, ControlPlaneFaults::cacheCorrupt).ofAgents(),
                new Fault("clock-jumps", "The clock of a client jumps a day ahead, and two back", Promise.FAILS_OPEN, ControlPlaneFaults::clockJumps).ofAgents());
    }

    private static Count killed(Shop shop) throws Exception {
        return whileBroken(shop, () -> shop.controlPlane().process().kill(), () -> shop.controlPlane().start());
    }

    private static Count frozen(Shop shop) throws Exception {
        ProcessHandle process = shop.controlPlane().process().handle();
        return whileBroken(shop, () -> Linux.freeze(process), () -> Linux.thaw(process));
    }

    private static Count over(Shop shop, Conduct conduct) throws Exception {
        Wire wire = shop.wire();
        return whileBroken(shop, () -> wire.conduct(conduct), () -> wire.conduct(Conduct.PASS));
    }

    /** Instances stay as they are. */
    private static Count whileBroken(Shop shop, Shop.Step breakIt, Shop.Step mendIt) throws Exception {
        withInstances(shop);
        shop.open();
        Count count = shop.underLoad(() -> {
            breakIt.run();
            shop.last();
            mendIt.run();
        });
        shop.awaitNewPolicyObeyed();
        return count;
    }

    private static void withInstances(Shop shop) {
        shop.upstream("a", "v1");
        shop.upstream("b", "v1");
        shop.upstream("c", "v2");
    }

    private static Count otherContent(Shop shop) throws Exception {
        withInstances(shop);
        shop.open();
        List<Expectation> before = shop.expectations();
        Count count = shop.underLoad(() -> {
            shop.controlPlane().process().kill();
            shop.forgetInstances();
            shop.upstream("d", "v1");
            shop.upstream("e", "v2");
            shop.load().expect(either(before, shop.expectations()));
            shop.controlPlane().start();
            shop.last();
        });
        shop.awaitNewPolicyObeyed();
        return count;
    }

    private static List<Expectation> either(List<Expectation> before, List<Expectation> after) {
        List<Expectation> either = new ArrayList<>();
        for (int i = 0; i < before.size(); i++) {
            Set<String> answers = new HashSet<>(before.get(i).answers());
            answers.addAll(after.get(i).answers());
            either.add(new Expectation(before.get(i).url(), before.get(i).headers(), answers));
        }
        return either;
    }

    private static Count restarts(Shop shop) throws Exception {
        shop.server("a", "v1");
        shop.server("b", "v1");
        shop.upstream("c", "v2");
        shop.open();
        Count count = shop.underLoad(() -> {
            for (int i = 0; i < RESTARTS; i++) {
                shop.controlPlane().process().stop();
                shop.controlPlane().start();
                shop.load().awaitRounds(2);
            }
        });
        shop.awaitNewPolicyObeyed();
        return count;
    }

    private static Count diskFull(Shop shop) throws Exception {
        Path state = shop.controlPlane().policies().resolveSibling("state");
        shop.controlPlane().process().stop();
        Linux.FullDisk disk = shop.testbed().closeAfterwards(Linux.FullDisk.at(state));
        shop.controlPlane().start();
        disk.fill();
        shop.server("a", "v1");
        shop.server("b", "v1");
        shop.upstream("c", "v2");
        shop.open();
        Count count = shop.underLoad(shop::last);
        shop.awaitNewPolicyObeyed();
        // Or the file system would be busy.
        shop.controlPlane().process().kill();
        return count;
    }

    private static Count cacheDiskFull(Shop shop) throws Exception {
        Linux.FullDisk disk = shop.testbed().closeAfterwards(Linux.FullDisk.at(shop.testbed().temporaryFolder()));
        disk.fill();
        shop.members(jvm -> jvm.environment("WEFT_CACHE_DIR", disk.folder().resolve("cache").toString()));
        Count count = whileBroken(shop, () -> {}, () -> {});
        shop.client().awaitStderr(line -> line.contains("weft WARN") && line.contains("cache"));
        return count;
    }

    private static Count cacheCorrupt(Shop shop) throws Exception {
        Path cache = shop.testbed().temporaryFolder();
        shop.members(jvm -> jvm.environment("WEFT_CACHE_DIR", cache.toString()));
        withInstances(shop);
        shop.open();
        Awaitility.await().until(() -> !policies(cache).isEmpty());
        shop.client().kill();
        byte[] garbage = new byte[10_000];
        new Random(1).nextBytes(garbage);
        for (Path policy : policies(cache)) {
            Files.write(policy, garbage);
        }
        shop.startClient();
        // Its first request among them.
        Count count = shop.underLoad(shop::last);
        shop.awaitNewPolicyObeyed();
        shop.client().awaitStderr(line -> line.contains("weft WARN") && line.contains("cache"));
        return count;
    }

    private static List<Path> policies(Path cache) throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.filter(file -> file.toString().endsWith(".policy")).toList();
        }
    }

    private static Count clockJumps(Shop shop) throws Exception {
        Clock clock = Clock.in(shop.testbed().temporaryFolder());
        shop.members(clock::of);
        return whileBroken(shop, () -> {
            clock.set(Duration.ofDays(1));
            shop.last();
            clock.set(Duration.ofDays(-1));
        }, () -> clock.set(Duration.ZERO));
    }
}
