package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.HttpFilter.Cors;
import io.weft.policy.model.HttpFilter.CorsPolicy;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.StringMatch;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CorsTest {
    private static final Cors NO_POLICY = new Cors(Optional.empty());

    private static Served served(boolean forwardNotMatching) {
        return Served.with(NO_POLICY, new Cors(Optional.of(new CorsPolicy(
                List.of(new StringMatch.Suffix(".shop.example", false)),
                "GET,POST", "*", "x-b", "600",
                Optional.of(true), Optional.empty(), Optional.of(forwardNotMatching), new Fraction(100, 100)))));
    }

    private static Incoming preflight(String origin) {
        return new Incoming("OPTIONS", "/")
                .with("origin", origin)
                .with("access-control-request-method", "POST")
                .with("access-control-request-headers", "x-a");
    }

    @Test
    void aPreflightIsAnswered() {
        Incoming request = served(true).enter(preflight("https://www.shop.example"));
        assertThat(request.next()).isEqualTo(Step.REPLY);
        LocalReply reply = request.reply();
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("access-control-allow-origin")).isEqualTo("https://www.shop.example");
        assertThat(reply.header("access-control-allow-methods")).isEqualTo("GET,POST");
        assertThat(reply.header("access-control-allow-headers")).as("as asked for").isEqualTo("x-a");
        assertThat(reply.header("access-control-max-age")).isEqualTo("600");
        assertThat(reply.header("access-control-allow-credentials")).isEqualTo("true");
    }

    @Test
    void aPreflightOfAnotherOriginIsTheAppsUnlessItIsNotToBe() {
        assertThat(served(true).enter(preflight("https://evil.example")).next()).isEqualTo(Step.PROCEED);
        Incoming answered = served(false).enter(preflight("https://evil.example"));
        assertThat(answered.next()).isEqualTo(Step.REPLY);
        assertThat(answered.reply().header("access-control-allow-origin")).isNull();
        assertThat(answered.reply().header("access-control-allow-methods")).isEqualTo("GET,POST");
    }

    @Test
    void aResponseSaysWhoMayReadIt() {
        assertThat(origin(Incoming.get("/").with("origin", "https://www.shop.example"))).isEqualTo("https://www.shop.example");
        assertThat(origin(Incoming.get("/").with("origin", "https://evil.example"))).isNull();
        assertThat(origin(Incoming.get("/"))).isNull();
    }

    private static String origin(Incoming request) {
        served(true).enter(request);
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        request.onResponse(200, Fixture.NO_HEADERS);
        HeaderOverlay response = new HeaderOverlay(name -> null);
        response.apply(request.responseChanges());
        return response.header("access-control-allow-origin");
    }
}
