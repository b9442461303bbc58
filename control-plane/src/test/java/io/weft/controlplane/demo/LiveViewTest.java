package io.weft.controlplane.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveViewTest {
    private static final String ORDINARY_SCREEN = "\u001b[?1049l";

    @TempDir
    private Path folder;

    @Test
    void fitsASmallTerminalAndLeavesTheLastPictureOnTheOrdinaryScreen() throws Exception {
        ByteArrayOutputStream screen = new ByteArrayOutputStream();
        DemoMesh mesh = new DemoMesh(new DemoFiles(folder, folder));
        mesh.answers().beginCounting();
        long now = System.currentTimeMillis();
        for (int i = 0; i < 1_000_000; i += 1_000) {
            mesh.answers().add(new Answer(now, now + 60_000, "direct", false, 200, i % 3 == 0 ? "v2" : "v1", 4_000_000 + i % 3 + "-a", null));
        }

        try (View view = new LiveView(new PrintStream(screen, true, StandardCharsets.UTF_8), mesh, Scenario.steps())) {
            view.says("Now it is yours: edit the policy and watch. Ctrl-C ends the demo.\nfile");
            for (Step step : Scenario.steps()) {
                view.ended(step, new StepResult(step.name(), step.expected(), Map.of("v1", 1.0, "v2", 1.0), 2_000, 0, 0, Map.of(), 12_345, true));
            }
        }

        String all = screen.toString(StandardCharsets.UTF_8);
        String last = all.substring(all.indexOf(ORDINARY_SCREEN) + ORDINARY_SCREEN.length()).replaceAll("\u001b\\[[0-9;]*m", "");
        List<String> lines = last.lines().toList();
        assertThat(lines).hasSizeLessThan(24).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
        assertThat(lines).anySatisfy(line -> assertThat(line).contains("weft demo", "1,000 in all", "0 failed"));
        assertThat(lines).filteredOn(line -> line.contains("✓")).hasSize(Scenario.steps().size());
    }
}
