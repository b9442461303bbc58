package io.weft.benchmarks.grpc;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.weft.driver.Form;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Sends back what it is sent. Argument: how many ports it listens on. Says {@code port} and {@code ports}, and ends when standard input does. */
public final class EchoServer {
    private EchoServer() {}

    public static void main(String[] args) throws IOException {
        String ports = IntStream.range(0, Integer.parseInt(args[0])).mapToObj(port -> Integer.toString(start())).collect(Collectors.joining(","));
        System.out.println(Form.write(Map.of("port", ports.split(",")[0], "ports", ports)));
        System.in.readAllBytes();
        System.exit(0);
    }

    private static int start() {
        ServerServiceDefinition service = ServerServiceDefinition.builder(Echo.SERVICE)
                .addMethod(Echo.UNARY, ServerCalls.asyncUnaryCall((message, answer) -> {
                    answer.onNext(message);
                    answer.onCompleted();
                }))
                .build();
        Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).addService(service).build();
        try {
            return server.start().getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
