package io.weft.it.versions;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectUniqueId;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.platform.commons.PreconditionViolationException;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.junit.platform.launcher.listeners.TestExecutionSummary.Failure;

/** Runs suites in a JVM of its own, as the build does, tests that fail a second time, and leaves what came of it in a file of properties. */
final class Judge {
    static final String TESTS = "tests";
    static final String JDKS = "jdks";
    static final String FAILURE = "failure";
    static final String FLAKE = "flake";
    static final String NOT_HERE = "not-here";

    private static final Pattern JDK = Pattern.compile("JDK (\\d+)");

    private final Set<String> jdks = new TreeSet<>();
    private final Properties properties = new Properties();

    private Judge() {}

    /** Arguments: the file, classes. */
    public static void main(String[] args) throws IOException {
        Judge judge = new Judge();
        judge.run(Arrays.stream(args).skip(1).<DiscoverySelector>map(name -> selectClass(name)).toList());
        try (Writer file = Files.newBufferedWriter(Path.of(args[0]))) {
            judge.properties.store(file, null);
        }
        // Programs that are ended leave threads of the harness behind.
        System.exit(0);
    }

    private void run(List<DiscoverySelector> suites) {
        TestExecutionSummary first = execute(suites);
        properties.setProperty(TESTS, Long.toString(first.getTestsSucceededCount()));
        properties.setProperty(JDKS, String.join(", ", jdks));
        List<Failure> failures = first.getFailures();
        if (failures.stream().anyMatch(Judge::sawNoJdk)) {
            properties.setProperty(NOT_HERE, "");
        } else if (!failures.isEmpty()) {
            List<DiscoverySelector> failed = failures.stream()
                    .<DiscoverySelector>map(failure -> selectUniqueId(failure.getTestIdentifier().getUniqueIdObject()))
                    .toList();
            TestExecutionSummary second = execute(failed);
            boolean passed = second.getFailures().isEmpty() && second.getTestsSucceededCount() > 0;
            properties.setProperty(passed ? FLAKE : FAILURE, words(failures.get(0)));
        } else if (first.getTestsSucceededCount() == 0) {
            properties.setProperty(FAILURE, "no test ran");
        }
    }

    /** A parameterized class that has nothing to run on says so. */
    private static boolean sawNoJdk(Failure failure) {
        return failure.getException() instanceof PreconditionViolationException && String.valueOf(failure.getException().getMessage()).contains("at least one");
    }

    private TestExecutionSummary execute(List<DiscoverySelector> selectors) {
        Launcher launcher = LauncherFactory.create();
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        TestExecutionListener running = new TestExecutionListener() {
            @Override
            public void executionStarted(TestIdentifier test) {
                Matcher named = JDK.matcher(test.getDisplayName());
                if (named.find()) {
                    jdks.add(named.group(1));
                }
                if (test.isTest()) {
                    System.out.println("-- " + test.getLegacyReportingName() + " " + test.getDisplayName());
                }
            }
        };
        launcher.execute(LauncherDiscoveryRequestBuilder.request().selectors(selectors).build(), summary, running);
        summary.getSummary().getFailures().forEach(failure -> {
            System.out.println("FAILED: " + words(failure));
            failure.getException().printStackTrace(System.out);
        });
        return summary.getSummary();
    }

    private static String words(Failure failure) {
        TestIdentifier test = failure.getTestIdentifier();
        String name = test.getSource().filter(MethodSource.class::isInstance).map(MethodSource.class::cast)
                .map(method -> method.getClassName().substring(method.getClassName().lastIndexOf('.') + 1) + "." + method.getMethodName())
                .orElse(test.getDisplayName());
        return name + ": " + failure.getException();
    }
}
