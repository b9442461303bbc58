package io.weft.it.server;

/**
 * All that a server answers on one connection.
 *
 * @param reset what ends it, as where the server leaves some of the request unread; an answer may come before
 */
record Answer(byte[] bytes, boolean reset) {
    static Answer to(int port, String request) {
        try (RawClient client = new RawClient(port)) {
            return client.answer(request);
        }
    }
}
