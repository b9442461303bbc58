package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.Build;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.opentest4j.TestAbortedException;

/** The chart, by the helm of this machine. */
final class Chart {
    static final String NAMESPACE = "weft-system";

    private Chart() {}

    static Path folder() {
        return Build.present("weft.it.deploy", "deploy").resolve("helm/weft");
    }

    /** Some of its templates as they are rendered with the default values. */
    static byte[] rendered(String... templates) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("template", "weft", folder().toString()));
        for (String template : templates) {
            words.addAll(List.of("--show-only", template));
        }
        return helm(words);
    }

    static byte[] helm(List<String> arguments) throws IOException, InterruptedException {
        return helm(NAMESPACE, arguments);
    }

    static byte[] helm(String namespace, List<String> arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(System.getProperty("weft.it.helm", "helm")));
        words.addAll(arguments);
        words.addAll(List.of("--namespace", namespace));
        Process process;
        try {
            process = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException absent) {
            throw new TestAbortedException("no helm: put it on the path, or name it with -Dweft.it.helm", absent);
        }
        byte[] output = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).as(() -> words + ": " + new String(output, StandardCharsets.UTF_8)).isZero();
        return output;
    }
}
