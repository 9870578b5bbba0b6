using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Grains.Voices.Cloning;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Voices;

/// <summary>A provider of clones that does not behave.</summary>
public sealed class CloneClientTests : IAsyncDisposable
{
    private static readonly CloneApi Lmnt = CloneApi.All.Single(api => api.Provider == TtsProvider.Lmnt);
    private readonly TcpListener _provider = new(IPAddress.Loopback, 0);
    private readonly ManualClock _clock = new();
    private readonly ServiceProvider _services;
    private readonly CloneClient _client;

    public CloneClientTests()
    {
        _provider.Start();
        var options = new ExternalVoiceOptions();
        options.Lmnt.BaseUrl = $"ws://{_provider.LocalEndpoint}";
        _services = new ServiceCollection().AddVoiceProviders(new ConfigurationBuilder().Build()).BuildServiceProvider();
        _client = new CloneClient(_services.GetRequiredService<ProviderHttpPool>(), Options.Create(options), Options.Create(new OwnVoiceOptions()), _clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OneThatSaysNothing_IsGivenUp()
    {
        var asked = CreateAsync();
        using var connection = await _provider.AcceptTcpClientAsync(Cancel);
        await ReadRequestAsync(connection);
        _clock.Advance(new OwnVoiceOptions().CloneTimeout);
        Assert.Equal((502, "LMNT did not answer within 60 s."), await FailureAsync(asked));
    }

    [Fact]
    public async Task OneThatIsNotThere_CannotBeReached()
    {
        _provider.Stop();
        Assert.Equal((502, "LMNT could not be reached."), await FailureAsync(CreateAsync()));
    }

    [Fact]
    public async Task OneThatNeverStopsTalking_IsHeardSoFarOnly()
    {
        var asked = CreateAsync();
        using var connection = await _provider.AcceptTcpClientAsync(Cancel);
        await ReadRequestAsync(connection);
        var stream = connection.GetStream();
        await stream.WriteAsync("HTTP/1.1 422 Unprocessable\r\nContent-Type: text/plain\r\n\r\n"u8.ToArray(), Cancel);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(new string('x', 64 * 1024)), Cancel);     // and no end
        Assert.Equal((400, $"LMNT did not make the voice (422): {new string('x', 400)}…"), await FailureAsync(asked));
    }

    [Fact]
    public async Task AClientThatLeaves_EndsTheRequest()
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var asked = CreateAsync(leaving.Token);
        using var connection = await _provider.AcceptTcpClientAsync(Cancel);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        _provider.Dispose();
        await _services.DisposeAsync();
    }

    private Task<string> CreateAsync(CancellationToken? cancellationToken = null)
        => _client.CreateAsync(Lmnt, "key", new CloneDraft("My voice", "Warm.", "en-US"), new VoiceSample([1, 2, 3], "wav"), cancellationToken ?? Cancel);

    private static async Task<(int, string)> FailureAsync(Task<string> asked)
    {
        var failure = await Assert.ThrowsAsync<PlatformException>(() => asked.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        return (failure.Code.Status, failure.Message);
    }

    /// <summary>Up to the end of the multipart body.</summary>
    private static async Task ReadRequestAsync(TcpClient connection)
    {
        var (buffer, text) = (new byte[4_096], "");
        while (!text.EndsWith("--\r\n", StringComparison.Ordinal))
        {
            var read = await connection.GetStream().ReadAsync(buffer, Cancel);
            Assert.True(read > 0, "the request ended early");
            text += Encoding.Latin1.GetString(buffer, 0, read);
        }
    }
}
