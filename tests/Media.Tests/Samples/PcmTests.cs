using FsCheck;
using FsCheck.Fluent;

namespace VoiceGrains.Media.Tests.Samples;

public class PcmTests
{
    [Fact]
    public void Bytes_AreLittleEndianBothWays()
    {
        var pcm = new short[3];
        Assert.Equal(3, Pcm.FromBytes([0x01, 0x00, 0xFF, 0x7F, 0x00, 0x80, 0x55], pcm));
        Assert.Equal([1, short.MaxValue, short.MinValue], pcm);
        var bytes = new byte[6];
        Assert.Equal(6, Pcm.ToBytes(pcm, bytes));
        Assert.Equal([0x01, 0x00, 0xFF, 0x7F, 0x00, 0x80], bytes);
    }

    [Fact]
    public void Bytes_RefuseTooLittleRoom()
    {
        Assert.Throws<ArgumentException>(() => Pcm.FromBytes(new byte[4], new short[1]));
        Assert.Throws<ArgumentException>(() => Pcm.ToBytes(new short[2], new byte[3]));
    }

    [Fact]
    public void Energy_IsExact() =>
        Prop.ForAll(ArbMap.Default.ArbFor<short[]>(), pcm => Pcm.Energy(pcm) == pcm.Sum(s => (long)s * s)).QuickCheckThrowOnFailure();

    [Fact]
    public void Energy_OfFullScale_DoesNotOverflow()
    {
        var pcm = new short[100_003];
        Array.Fill(pcm, short.MinValue);
        Assert.Equal(100_003L << 30, Pcm.Energy(pcm));
        Assert.Equal(32768, Pcm.Rms(pcm));
        Assert.Equal(0, Pcm.Dbfs(pcm), 6);
    }

    [Fact]
    public void Dbfs_OfSilence_IsTheFloor()
    {
        Assert.Equal(Pcm.SilenceDbfs, Pcm.Dbfs(new short[8]));
        Assert.Equal(Pcm.SilenceDbfs, Pcm.Dbfs(ReadOnlySpan<short>.Empty));
        Assert.Equal(-6.02, Pcm.Dbfs([16384, -16384]), 2);
    }

    [Fact]
    public void AddAndAmplify_Clip()
    {
        short[] target = [30_000, -30_000, 5];
        Pcm.Add([10_000, -10_000], target);
        Assert.Equal([short.MaxValue, short.MinValue, 5], target);
        Pcm.Amplify(target, 2);
        Assert.Equal([short.MaxValue, short.MinValue, 10], target);
        Assert.Equal(0, Pcm.Saturate(float.NaN));
        Assert.Equal(2f, Pcm.Gain(6.0206), 4);
    }
}
