using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.OpenAi;

namespace VoiceGrains.Providers.Tests.OpenAi;

/// <summary>An endpoint to a fake server, over its own connection pool.</summary>
internal sealed class OpenAiTestEndpoint : IDisposable
{
    public const string Key = "sk-very-secret";

    private readonly ProviderHttpPool _pool = new(new OutboundGuard(new OutboundOptions(), (_, _) => throw new InvalidOperationException("The operator's address must not be guarded.")));

    public OpenAiTestEndpoint(string baseUrl, Action<OpenAiOptions>? configure = null)
    {
        var options = new OpenAiOptions { BaseUrl = baseUrl, ApiKey = Key };
        configure?.Invoke(options);
        Endpoint = new("acme", options, _pool.OperatorClient, TimeProvider.System, new Random(1));
    }

    public OpenAiEndpoint Endpoint { get; }

    public void Dispose() => _pool.Dispose();
}
