package io.weft.it.client;

import io.weft.it.harness.Jdk;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** What an operator and an app expect of every client library. A new library joins in {@link Client}. */
@ParameterizedClass(name = "{arguments}")
@ArgumentsSource(Client.Matrix.class)
class ClientIT {
    @Parameter(0)
    Jdk jdk;

    @Parameter(1)
    Client client;

    private static Stage stage;

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk, Client client) {
        stage = new Stage(jdk, client);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        stage.close();
    }

    @Nested
    class Routing extends RoutingExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class Retries extends RetryExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class TimeLimits extends TimeLimitExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class LeftBehind extends LeftBehindExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class Transparency extends TransparencyExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class Outside extends OutsideExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class Hedges extends HedgeExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class Sizes extends SizeExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class Mirrors extends MirrorExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }

    @Nested
    class MeshTls extends MeshTlsExpectations {
        @Override
        Stage stage() {
            return stage;
        }
    }
}
