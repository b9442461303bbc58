package com.example.clients;

import java.net.URI;
import org.springframework.http.ResponseEntity;

/** One of the ways in which services of Spring call others. */
interface Sender {
    /** GET, or POST where there is a body. */
    ResponseEntity<String> send(URI url, String canary, String body);
}
