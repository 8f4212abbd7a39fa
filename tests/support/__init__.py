"""What several tests share: small networks, bundles and worlds."""
