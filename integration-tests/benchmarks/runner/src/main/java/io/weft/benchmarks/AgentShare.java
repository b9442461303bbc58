package io.weft.benchmarks;

import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedClass;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingFile;

/**
 * What of a JVM's CPU time goes into the agent's own code and what that calls of the JDK, by samples of its stacks. Two JVMs that run the same code differ by several
 * per cents; this is of one JVM, and thousands of samples tell it within half of one. It is less than the agent costs: what its compilation, its garbage and the
 * larger methods around its calls cost is not in it. What a socket does below the library is the library's,
 * also where it passes through the agent.
 *
 * @param samples of Java code, since the JVM was warm
 */
record AgentShare(long samples, long agents) {
    private static final int WINDOWS = 8;
    private static final List<String> JDK = List.of("java.", "javax.", "jdk.", "sun.", "com.sun.");
    private static final List<String> LIBRARIES_OF_JDK = List.of(
            "java.net.http.", "jdk.internal.net.http.", "java.net.HttpURLConnection", "sun.net.www.", "com.sun.net.httpserver.", "sun.net.httpserver.");

    /** Of a client and a server that do nothing else, with the agent in both. */
    record OfPair(AgentShare client, AgentShare server) {
        AgentShare together() {
            return new AgentShare(client.samples + server.samples, client.agents + server.agents);
        }

        Map<String, Object> detail() {
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("agentPercentOfClient", client.percent());
            detail.put("agentPercentOfServer", server.percent());
            detail.put("samples", together().samples);
            return detail;
        }
    }

    static OfPair measure(Settings settings, Apps apps) throws Exception {
        Path folder = Files.createTempDirectory("weft-share");
        try (Testbed testbed = new Testbed()) {
            Pair pair = Pair.meshed(testbed, settings.recordingTo(folder), apps);
            for (int warmUp = 0; warmUp < settings.times(Pair.WARM_UP, 2); warmUp++) {
                pair.send(Overhead.requests(settings));
            }
            Instant since = Instant.now();
            for (int window = 0; window < settings.times(WINDOWS, 1); window++) {
                pair.send(Overhead.requests(settings));
            }
            pair.end();
            return new OfPair(of(folder, "client", since), of(folder, "server", since));
        } finally {
            delete(folder);
        }
    }

    double percent() {
        return Distribution.round(100.0 * agents / samples, 2);
    }

    private static AgentShare of(Path folder, String jvm, Instant since) throws IOException {
        try (Stream<Path> recordings = Files.list(folder)) {
            Path recording = recordings.filter(path -> path.getFileName().toString().startsWith(jvm)).findAny()
                    .orElseThrow(() -> new IllegalStateException("the " + jvm + " left no recording"));
            AgentShare share = new AgentShare(0, 0);
            try (RecordingFile file = new RecordingFile(recording)) {
                while (file.hasMoreEvents()) {
                    share = share.with(file.readEvent(), since);
                }
            }
            if (share.samples == 0) {
                throw new IllegalStateException("no samples in the recording of the " + jvm);
            }
            return share;
        }
    }

    private AgentShare with(RecordedEvent event, Instant since) {
        String type = event.getEventType().getName();
        // The one is from JDK 25 on, and then the other is off.
        boolean isSample = type.equals("jdk.CPUTimeSample") || type.equals("jdk.ExecutionSample");
        if (!isSample || event.getStackTrace() == null || event.getStartTime().isBefore(since)) {
            return this;
        }
        Stream<String> classes = event.getStackTrace().getFrames().stream().map(RecordedFrame::getMethod).map(RecordedMethod::getType).map(RecordedClass::getName);
        return new AgentShare(samples + 1, agents + (isAgents(classes.toList()) ? 1 : 0));
    }

    /** @param classes the innermost first */
    static boolean isAgents(List<String> classes) {
        boolean onSocket = false;
        boolean agents = false;
        for (String name : classes) {
            if (isNobodys(name)) {
                onSocket |= isSocket(name);
            } else if (!isWefts(name)) {
                return false;
            } else if (!onSocket) {
                return true;
            } else {
                // It passes on what the library would do without it, unless there is nobody else.
                agents = true;
            }
        }
        return agents;
    }

    private static boolean isWefts(String name) {
        return name.startsWith("io.weft.") && !name.startsWith("io.weft.driver.") && !name.startsWith("io.weft.benchmarks.");
    }

    private static boolean isSocket(String name) {
        return name.startsWith("sun.nio.ch.") || name.startsWith("java.net.Socket");
    }

    /** Of the JDK, and at the service of whoever calls it. */
    private static boolean isNobodys(String name) {
        return JDK.stream().anyMatch(name::startsWith) && LIBRARIES_OF_JDK.stream().noneMatch(name::startsWith);
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
