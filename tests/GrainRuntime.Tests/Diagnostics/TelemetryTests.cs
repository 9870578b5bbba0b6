using System.Diagnostics;
using System.Diagnostics.Metrics;
using VoiceGrains.GrainRuntime.Diagnostics;
using VoiceGrains.GrainRuntime.Tests.Calls;

namespace VoiceGrains.GrainRuntime.Tests.Diagnostics;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Calls_AreSpansOfTheCallersTrace()
    {
        var spans = new List<Activity>();
        using var root = new ActivitySource("test.root");
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is GrainTelemetry.Name or "test.root",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                    spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await RuntimeHost.StartAsync();

        ActivityTraceId trace;
        using (var request = root.StartActivity("request"))
        {
            trace = request!.TraceId;
            await host.Grains.GetGrain<IWaitGrain>("trace-a").CallThroughAsync(["trace-b"]);
            await Assert.ThrowsAsync<ApplicationTroubleException>(() => host.Grains.GetGrain<ITurnGrain>("trace-a").FailAsync("bad"));
            Assert.Same(request, Activity.Current);
        }

        Activity[] own = [];
        await RuntimeHost.EventuallyAsync(() =>
        {
            lock (spans)
                own = [.. spans.Where(span => span.TraceId == trace)];
            return own.Length == 4;
        }, "four spans");
        var top = own.Single(span => span.OperationName == "request");
        var outer = own.Single(span => (string?)span.GetTagItem("grain.key") == "trace-a" && span.OperationName == "IWaitGrain.CallThroughAsync");
        var inner = own.Single(span => (string?)span.GetTagItem("grain.key") == "trace-b");
        var failed = own.Single(span => span.OperationName == "ITurnGrain.FailAsync");
        Assert.Equal(top.SpanId, outer.ParentSpanId);
        Assert.Equal(outer.SpanId, inner.ParentSpanId);
        Assert.Equal(top.SpanId, failed.ParentSpanId);
        Assert.Equal("wait", outer.GetTagItem("grain.type"));
        Assert.Equal((ActivityStatusCode.Error, "bad"), (failed.Status, failed.StatusDescription));
    }

    [Fact]
    public async Task Requests_AreCountedByOutcome()
    {
        var counted = new List<(string Instrument, string Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == GrainTelemetry.Name)
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, amount, tags, _) => Count(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, amount, tags, _) => Count(instrument, tags));
        listener.Start();
        await using var host = await RuntimeHost.StartAsync();

        await host.Grains.GetGrain<ICountedGrain>("a").DoAsync(fail: false);
        await Assert.ThrowsAsync<ApplicationTroubleException>(() => host.Grains.GetGrain<ICountedGrain>("a").DoAsync(fail: true));

        lock (counted)
        {
            Assert.Contains(("grain.requests", "grain.type=counted,outcome=ok"), counted);
            Assert.Contains(("grain.requests", "grain.type=counted,outcome=failed"), counted);
            Assert.Equal(2, counted.Count(one => one == ("grain.request.duration", "grain.type=counted")));
            Assert.Single(counted, ("grain.activations", "grain.type=counted"));
        }

        void Count(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var text = string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
            lock (counted)
                counted.Add((instrument.Name, text));
        }
    }
}

internal interface ICountedGrain : Orleans.IGrainWithStringKey
{
    Task DoAsync(bool fail);
}

internal sealed class CountedGrain : Orleans.Grain, ICountedGrain
{
    public Task DoAsync(bool fail) => fail ? throw new ApplicationTroubleException("bad") : Task.CompletedTask;
}
