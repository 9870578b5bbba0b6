using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Scripted;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Telemetry;
using VoiceGrains.Providers.Tests.Synthesis;

namespace VoiceGrains.Providers.Tests.Telemetry;

public sealed class MeasuredTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _meters = new();
    private readonly ConcurrentQueue<string> _seen = new();
    private readonly ProviderTelemetry _telemetry;

    public MeasuredTests()
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory) listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value.ToString(System.Globalization.CultureInfo.InvariantCulture), tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value >= 0 ? "s" : "negative", tags));
        _meters.Start();
        _telemetry = new(factory, TimeProvider.System);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnAnswer_CountsOnceWithItsLatency()
    {
        using var spans = Spans(out var stopped);
        await new MeasuredLanguageModel(new ScriptedLanguageModel(new()), "p1", _telemetry).GenerateAsync(new("m", null, [], []), Cancel).ToListAsync(Cancel);
        Assert.Equal(["requests 1 p1 language", "first_output s p1 language", "duration s p1 language"], _seen);
        var span = Assert.Single(stopped, s => s.DisplayName == "language p1");
        Assert.Equal((ActivityStatusCode.Unset, 0), (span.Status, span.GetTagItem("gen_ai.usage.input_tokens")));
    }

    [Fact]
    public async Task AFailure_CountsWithItsFault()
    {
        using var spans = Spans(out var stopped);
        var broken = new BrokenModel(new ProviderException("p2", ProviderFault.RateLimited, "no"));
        await Assert.ThrowsAsync<ProviderException>(() => new MeasuredLanguageModel(broken, "p2", _telemetry).GenerateAsync(new("m", null, [], []), Cancel).ToListAsync(Cancel).AsTask());
        Assert.Equal(["requests 1 p2 language", "first_output s p2 language", "errors 1 p2 language RateLimited", "duration s p2 language"], _seen);
        Assert.Equal((ActivityStatusCode.Error, "RateLimited"), (stopped.Single(s => s.DisplayName == "language p2").Status, stopped.Single(s => s.DisplayName == "language p2").StatusDescription));
    }

    [Fact]
    public async Task ACancelledRequest_IsNoError()
    {
        var broken = new BrokenModel(new OperationCanceledException());
        await Assert.ThrowsAsync<OperationCanceledException>(() => new MeasuredLanguageModel(broken, "p3", _telemetry).GenerateAsync(new("m", null, [], []), Cancel).ToListAsync(Cancel).AsTask());
        Assert.DoesNotContain(_seen, s => s.StartsWith("errors", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Speech_IsMeasuredFromItsFirstWords()
    {
        var measured = new MeasuredSynthesizer(new ScriptedSynthesizer(new()), "p4", _telemetry);
        Assert.Empty(await measured.SynthesizeAsync(new("v", 8_000), SpeechAsserts.Pieces(), Cancel).ToListAsync(Cancel));
        Assert.Empty(_seen);
        Assert.Equal(2, (await measured.SynthesizeAsync(new("v", 8_000), SpeechAsserts.Pieces("One ", "two."), Cancel).ToListAsync(Cancel)).Count);
        Assert.Equal(["requests 1 p4 synthesis", "first_output s p4 synthesis", "duration s p4 synthesis"], _seen);
    }

    [Fact]
    public async Task Recognition_IsMeasuredFromTheTurnsEnd()
    {
        await using var turn = new MeasuredRecognizer(new ScriptedRecognizer(new()), "p5", _telemetry).Start(new(null, null));
        turn.Write(new short[10]);
        Assert.Empty(_seen);
        Assert.Equal("go forward ten meters", await turn.FinishAsync(Cancel));
        Assert.Equal(["requests 1 p5 recognition", "first_output s p5 recognition", "duration s p5 recognition"], _seen);
    }

    public void Dispose()
    {
        _meters.Dispose();
        _services.Dispose();
    }

    private static ActivityListener Spans(out ConcurrentQueue<Activity> stopped)
    {
        var seen = stopped = new();
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ProviderTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = seen.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private void Add(Instrument instrument, string value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => _seen.Enqueue($"{instrument.Name["voicegrains.provider.".Length..]} {value} {string.Join(' ', tags.ToArray().Select(t => t.Value))}");

    private sealed class BrokenModel(Exception failure) : ILanguageModel
    {
        public bool AcceptsAudio => false;

        public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return new ModelDelta.Text("a");
            throw failure;
        }
    }
}
