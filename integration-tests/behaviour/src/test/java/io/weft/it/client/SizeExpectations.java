package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Policy;
import io.weft.it.harness.Upstream.Respond;
import io.weft.it.harness.Upstream.Trickle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How long bodies are is told in metrics: as heads say it, or as the library lets bytes be counted. */
abstract class SizeExpectations extends Expectations {

    @Test
    void bodiesWhoseLengthIsSaidAreCounted() throws IOException {
        stage().serve(Policy.empty().service("sized", a.address()));
        a.react(request -> new Respond(200, Map.of(), "x".repeat(1_000)));
        Path socket = socket();
        stage().send(Call.get("http://sized/"));
        stage().send(Call.post("http://sized/", "y".repeat(300)));
        stage().send(Call.get("http://sized/").method("HEAD"));

        await().untilAsserted(() -> {
            assertThat(AdminPage.sum(socket, "istio_request_bytes_sum", to("sized"))).isEqualTo(300);
            assertThat(AdminPage.sum(socket, "istio_request_bytes_count", to("sized"))).isEqualTo(3);
            assertThat(AdminPage.sum(socket, "istio_response_bytes_sum", to("sized"))).isEqualTo(2_000);
            assertThat(AdminPage.sum(socket, "istio_response_bytes_count", to("sized"))).isEqualTo(3);
        });
    }

    @Test
    @Takes(Trait.TELLS_THE_SIZE_OF_WHAT_STREAMS)
    void whatStreamsInIsCountedAsItGoesBy() throws IOException {
        stage().serve(Policy.empty().service("streamed", a.address()));
        a.react(request -> new Trickle("z".repeat(50), 1));
        Path socket = socket();
        stage().send(Call.get("http://streamed/"));
        stage().send(Call.post("http://streamed/", "y".repeat(300)).way(Way.STREAM));

        await().untilAsserted(() -> {
            assertThat(AdminPage.sum(socket, "istio_requests_total", to("streamed"))).isEqualTo(2);
            assertThat(AdminPage.sum(socket, "istio_response_bytes_sum", to("streamed"))).isEqualTo(100);
            assertThat(AdminPage.sum(socket, "istio_request_bytes_sum", to("streamed"))).as("all or nothing").isIn(0.0, 300.0);
        });
    }

    private static String to(String service) {
        return "destination_service=\"" + service + "\"";
    }

    private Path socket() {
        Path socket = AdminPage.usualSocket(stage().meshed);
        await().until(() -> AdminPage.isOpen(socket));
        return socket;
    }
}
