package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.it.harness.Jdks;
import io.weft.it.harness.OpenTelemetry;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream.Respond;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Some of what {@link ClientIT} expects, of the newest version of each library that the OpenTelemetry agent traces, beside that, in both orders: whatever the mesh
 * makes of a request, it says once of which trace it is, and its span is that agent's.
 */
@ParameterizedClass(name = "{arguments}")
@MethodSource("clients")
class BesideOpenTelemetryIT {
    private static final Set<Client> NEWEST = EnumSet.of(
            Client.JAVA_NET_HTTP, Client.HTTP_URL_CONNECTION, Client.APACHE_HTTP_CLIENT_4_5, Client.APACHE_HTTP_ASYNC_CLIENT_4_1_5,
            Client.APACHE_HTTP_CLIENT_5_6, Client.APACHE_HTTP_ASYNC_CLIENT_5_6, Client.OK_HTTP_5, Client.REACTOR_NETTY_1_3, Client.JETTY_CLIENT_12,
            Client.ASYNC_HTTP_CLIENT_3_0, Client.VERTX_5, Client.ARMERIA_1_40, Client.MICRONAUT_4_10);

    @Parameter(0)
    Client client;

    @Parameter(1)
    OpenTelemetry order;

    private static Stage stage;

    static Stream<Arguments> clients() {
        List<String> only = List.of(System.getProperty("weft.it.client", "").split(","));
        return NEWEST.stream().filter(client -> only.stream().anyMatch(client.name()::startsWith))
                .flatMap(client -> Stream.of(OpenTelemetry.FIRST, OpenTelemetry.LAST).map(order -> Arguments.of(client, order)));
    }

    @BeforeParameterizedClassInvocation
    static void start(Client client, OpenTelemetry order) {
        stage = new Stage(Jdks.newest(), client, order);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        stage.close();
    }

    @Test
    void aHeaderChoosesTheRoute() throws Exception {
        expect(new Routing(), Routing::aHeaderChoosesTheRoute);
    }

    @Test
    void headersAreChangedOnTheWireAndForTheApp() throws Exception {
        expect(new Routing(), Routing::headersAreChangedOnTheWireAndForTheApp);
    }

    @Test
    void theMeshRedirectsAndTheLibraryFollowsIfTheAppWantsIt() throws Exception {
        expect(new Routing(), Routing::theMeshRedirectsAndTheLibraryFollowsIfTheAppWantsIt);
    }

    /** Which is one request to that agent, or one for each attempt, as the library has it. */
    @Test
    void aStatusIsRetriedWithTheSameBody() throws Exception {
        expect(new Retries(), retries -> {
            AtomicInteger calls = new AtomicInteger();
            retries.a.react(request -> calls.getAndIncrement() == 0 ? new Respond(503, Map.of(), "busy") : retries.a.ok());
            stage.serve(Policy.empty().cluster("orders", retries.a.address()).virtualHost("orders", retried("5xx", 1, to("orders"))));
            assertThat(stage.send(Call.post("http://orders/x", "the body")).status()).isEqualTo(200);
            assertThat(retries.a.requests()).filteredOn(BesideOpenTelemetryIT::isTheApps).extracting(RecordedRequest::text)
                    .containsExactly("the body", "the body");
        });
    }

    @Test
    void aBodyThatCanBeReadOnceGoesToTheEndpointThatTakesTheConnection() throws Exception {
        expect(new Retries(), Retries::aBodyThatCanBeReadOnceGoesToTheEndpointThatTakesTheConnection);
    }

    @Test
    void theAppsOwnPatienceEndsTheRequest() throws Exception {
        expect(new Retries(), Retries::theAppsOwnPatienceEndsTheRequest);
    }

    @Test
    void whatTheAppCancelsInAPauseIsNotSentAgain() throws Exception {
        assumeTrue(Trait.CANCELS_WHAT_BLOCKS.isOf(client), Trait.CANCELS_WHAT_BLOCKS.reason);
        expect(new Retries(), Retries::whatTheAppCancelsInAPauseIsNotSentAgain);
    }

    @Test
    void anAttemptThatTakesTooLongIsTriedElsewhere() throws Exception {
        expect(new TimeLimits(), TimeLimits::anAttemptThatTakesTooLongIsTriedElsewhere);
    }

    @Test
    void bodiesWhoseLengthIsSaidAreCounted() throws Exception {
        expect(new Sizes(), Sizes::bodiesWhoseLengthIsSaidAreCounted);
    }

    @Test
    void endpointsOfOnePortAreToldApart() throws Exception {
        expect(new MeshTls(), MeshTls::endpointsOfOnePortAreToldApart);
    }

    @Test
    void aHostThatNoPolicyNamesIsReached() throws Exception {
        expect(new Routing(), routing -> {
            stage.serve(Policy.empty().service("orders", routing.b.address()));
            assertThat(stage.send(Call.post("http://127.0.0.1:" + routing.a.address().getPort() + "/x", "body")).body()).isEqualTo("a");
            assertThat(routing.b.requests()).isEmpty();
        });
    }

    private interface Expectation<T> {
        void of(T area) throws Exception;
    }

    private <T extends Expectations> void expect(T area, Expectation<T> expectation) throws Exception {
        try {
            expectation.of(area);
            area.policiesWereAccepted();
            assertThat(area.testbed.requests()).filteredOn(BesideOpenTelemetryIT::isTheApps).isNotEmpty().allSatisfy(this::isTracedOnce);
        } catch (Exception | AssertionError e) {
            stage.report();
            throw e;
        } finally {
            area.testbed.close();
        }
    }

    /** And not what Armeria asks, whether the peer speaks HTTP/2. */
    private static boolean isTheApps(RecordedRequest request) {
        return !request.line().matches("PRI .*|SM|OPTIONS \\* .*");
    }

    private void isTracedOnce(RecordedRequest request) {
        assertThat(request.all("traceparent")).singleElement().satisfies(parent -> {
            String[] ids = parent.split("-");
            if (client != Client.ASYNC_HTTP_CLIENT_3_0) {
                // Where the app's handler is none of the library's own, as here, OpenTelemetry ends no span, with the mesh and without.
                stage.meshed.awaitStderr(line -> line.contains(ids[1] + " " + ids[2] + " CLIENT "));
            }
        });
    }

    private static final class Routing extends RoutingExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    private static final class Retries extends RetryExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    private static final class TimeLimits extends TimeLimitExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    private static final class Sizes extends SizeExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    private static final class MeshTls extends MeshTlsExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }
}
