using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using VoiceGrains.Media;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebRtc;

public sealed class ReceiverMetricsTests
{
    [Fact]
    public void JitterBuffers_AreAddedUp_AndStayWhenTheirCallEnds_AndAreDocumented()
    {
        using var meter = new Meter("VoiceGrains.Rooms.Test");
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter == meter) self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        var metrics = new ReceiverMetrics(meter);
        var clock = new ManualClock();
        using AudioReceiver one = new(new AudioReceiverOptions { SampleRateHz = 16_000 }, clock), other = new(new AudioReceiverOptions { SampleRateHz = 16_000 }, clock);
        metrics.Add(one);
        metrics.Add(other);

        using var encoder = new OpusEncoder(new OpusEncoderOptions());
        var packet = new byte[OpusEncoder.MaxPacketBytes];
        var pcm = new short[320];
        for (ushort sequence = 0; sequence < 20; sequence++)
        {
            var length = encoder.Encode(new short[encoder.FrameSamples], packet);
            foreach (var receiver in (AudioReceiver[])[one, other])
            {
                if (sequence != 10) receiver.Put(sequence, sequence * 960u, packet.AsSpan(0, length));
                if (sequence == 15) receiver.Put(sequence, sequence * 960u, packet.AsSpan(0, length));
                receiver.Take(pcm);
            }
            clock.Advance(TimeSpan.FromMilliseconds(20));
        }
        metrics.Sample(one);
        Check();
        metrics.Remove(one);
        Check();

        var page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs/webrtc.md"));
        var documented = Regex.Matches(page, "`(voicegrains_jitter_buffer_[a-z]+)").Select(match => match.Groups[1].Value).Order();
        Assert.Equal(documented.Select(name => name.Split("_seconds")[0].Split("_total")[0]).Distinct(), seen.Keys.Select(key => key.Split(' ')[0].Replace('.', '_')).Distinct().Order());

        void Check()
        {
            listener.RecordObservableInstruments();
            Assert.Equal((2, 2, 0), (seen["voicegrains.jitter_buffer.packets fate=lost"], seen["voicegrains.jitter_buffer.packets fate=duplicate"], seen["voicegrains.jitter_buffer.packets fate=late"]));
            Assert.Equal(2 * one.Statistics.ConcealedSamples / 16_000.0, seen["voicegrains.jitter_buffer.concealed"]);
            Assert.NotEqual(0, one.Statistics.ConcealedSamples + one.Statistics.FecRecovered);
            Assert.Equal(2 * one.Statistics.FecRecovered, seen["voicegrains.jitter_buffer.packets fate=recovered"]);
            Assert.Equal(2 * one.Statistics.InsertedSamples / 16_000.0, seen["voicegrains.jitter_buffer.stretched direction=longer"]);
            Assert.Equal(one.Statistics.TargetDelayMs / 1000, seen["voicegrains.jitter_buffer.delay"]);
        }

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            => seen[instrument.Name + string.Concat(tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}"))] = value;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
