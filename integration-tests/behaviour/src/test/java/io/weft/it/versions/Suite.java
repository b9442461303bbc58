package io.weft.it.versions;

import java.util.List;

/** By what a version is judged. */
enum Suite {
    CLIENT("client", "io.weft.it.client.ClientIT"),
    SERVER("server", "io.weft.it.server.ServerIT", "io.weft.it.server.ServerPolicyIT", "io.weft.it.server.ServerTlsIT"),
    GRPC("grpc", "io.weft.it.client.GrpcClientIT");

    /** Also the end of the system property, as in {@code weft.it.client}, that picks what the suite runs on. */
    final String title;

    final List<String> tests;

    Suite(String title, String... tests) {
        this.title = title;
        this.tests = List.of(tests);
    }

    static Suite titled(String title) {
        for (Suite suite : values()) {
            if (suite.title.equals(title)) {
                return suite;
            }
        }
        throw new IllegalArgumentException("no suite is called " + title);
    }
}
