package io.weft.benchmarks.workload;

import io.weft.driver.Form;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A short program without HTTP, as a command line tool or a batch job is: what an agent adds to it is all loss. Prints a
 * form with the CPU time that it took so far.
 */
public final class WordCount {
    private static final Pattern SPACE = Pattern.compile("\\s+");

    private WordCount() {}

    public static void main(String[] args) {
        String text = System.getProperties().stringPropertyNames().stream()
                .sorted()
                .map(name -> name + " " + System.getProperty(name))
                .collect(Collectors.joining("\n"));
        Map<String, Long> words = SPACE.splitAsStream(text.repeat(20))
                .collect(Collectors.groupingBy(word -> word, TreeMap::new, Collectors.counting()));
        Duration cpu = ProcessHandle.current().info().totalCpuDuration().orElseThrow();
        System.out.println(Form.write(Map.of("words", Integer.toString(words.size()), "cpuMillis", Long.toString(cpu.toMillis()))));
    }
}
