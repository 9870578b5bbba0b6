namespace VoiceGrains.Cli.Calls;

/// <summary>What is told when no server answers, or something that is none.</summary>
internal static class Unreachable
{
    public static CliException Because(Uri? url, HttpRequestException failure) => new(
        failure.HttpRequestError == HttpRequestError.SecureConnectionError
            ? $"{url} cannot be reached over TLS: {failure.GetBaseException().Message.TrimEnd('.')}. A server without TLS has an address with http://."
            : $"No server answers at {url}: {failure.Message.TrimEnd('.')}. Is ./run running? Another address is given with --url.",
        CliException.NoServer);
}
