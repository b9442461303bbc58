package io.weft.controlplane.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.controlplane.registry.SavedRegistration;
import io.weft.controlplane.registry.StateFile;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The instances of the services as the control plane has saved them, and a caller from outside of the mesh, as curl would be. */
final class Instances {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TIMEOUT_MS = 2_000;

    private final StateFile state;

    Instances(Path state) {
        this.state = new StateFile(state);
    }

    /** Whether every instance that can be called takes mesh TLS. */
    boolean allTakeMeshTls() throws IOException {
        List<SavedRegistration> serving = serving();
        return !serving.isEmpty() && serving.stream().allMatch(each -> each.secured() && each.unready().isEmpty());
    }

    /** Whether none of them answers a caller that is nobody. */
    boolean refusePlaintext() throws IOException {
        for (SavedRegistration registration : serving()) {
            for (JsonNode inbound : inbounds(registration)) {
                if (answersPlaintext(inbound.get("port").asInt())) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Without the one that was killed, which the control plane remembers for a while. */
    private List<SavedRegistration> serving() throws IOException {
        List<SavedRegistration> serving = new ArrayList<>();
        for (SavedRegistration registration : state.read()) {
            JsonNode inbounds = inbounds(registration);
            if (!inbounds.isEmpty() && listens(inbounds.get(0).get("port").asInt())) {
                serving.add(registration);
            }
        }
        return serving;
    }

    private static JsonNode inbounds(SavedRegistration registration) throws IOException {
        return JSON.readTree(registration.resource()).at("/networking/inbound");
    }

    private static boolean listens(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
            return true;
        } catch (IOException gone) {
            return false;
        }
    }

    private static boolean answersPlaintext(int port) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create("http://127.0.0.1:" + port + "/").toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MS);
            connection.setReadTimeout(TIMEOUT_MS);
            try {
                connection.getResponseCode();
                return true;
            } finally {
                connection.disconnect();
            }
        } catch (IOException refused) {
            return false;
        }
    }
}
