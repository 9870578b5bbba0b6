namespace VoiceGrains.Cli.Calls;

/// <summary>Which server, and the key it is asked with.</summary>
internal sealed record ServerAddress(Uri Url, string ApiKey)
{
    /// <summary>
    /// Each from the argument, the environment (<c>VOICEGRAINS_URL</c>, <c>VOICEGRAINS_API_KEY</c>) or what the server left in the data folder (<c>url</c>, <c>api-key</c>).
    /// </summary>
    /// <exception cref="CliException">The address is no address, or there is no key anywhere.</exception>
    public static ServerAddress From(string? url, string? key) => new(UrlFrom(url), key ?? NotEmpty("VOICEGRAINS_API_KEY") ?? ReadKeyFile());

    /// <summary>The address alone, found in the same places.</summary>
    /// <exception cref="CliException">It is no address.</exception>
    public static Uri UrlFrom(string? url)
    {
        url ??= NotEmpty("VOICEGRAINS_URL") ?? ReadUrlFile() ?? $"http://127.0.0.1:{NotEmpty("VOICEGRAINS_PORT") ?? "8080"}";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
            throw new CliException($"--url must look like http://127.0.0.1:8080, not '{url}'.", CliException.Usage);
        return parsed;
    }

    /// <summary>A file of the data folder.</summary>
    internal static string DataFile(string name) => Path.Combine(NotEmpty("VOICEGRAINS_DATA") ?? ".data", name);

    /// <summary>The address that the server on this data folder listens on. Listening on all addresses is being reached on this machine's own.</summary>
    private static string? ReadUrlFile()
    {
        try
        {
            return File.ReadAllText(DataFile("url")).Trim().Replace("//0.0.0.0:", "//127.0.0.1:", StringComparison.Ordinal).Replace("//[::]:", "//[::1]:", StringComparison.Ordinal);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string ReadKeyFile()
    {
        var path = DataFile("api-key");
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"No API key: {path} cannot be read. Start the server once with ./run, or give --key or VOICEGRAINS_API_KEY.", CliException.NoServer);
        }
    }

    private static string? NotEmpty(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
