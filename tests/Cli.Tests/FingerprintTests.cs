using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace VoiceGrains.Cli.Tests;

/// <summary>By what <c>./run</c>, <c>./test</c> and <c>./vg</c> know whether there is something to build.</summary>
public sealed class FingerprintTests : IDisposable
{
    private readonly Recordings copy = new();

    public FingerprintTests()
    {
        Write("Directory.Build.props");
        Write("VoiceGrains.sln");
        Write("media/Media.csproj");
        Write("media/Pacing/Pacer.cs");
        Write("tests/Media.Tests/Media.Tests.csproj");
        Write("proto/api.proto");
        Write("console/dist/index.html");
    }

    public void Dispose() => copy.Dispose();

    [Theory]
    [InlineData("media/Pacing/Pacer.cs")]
    [InlineData("media/Pacing/New.cs")]
    [InlineData("tests/Media.Tests/New.cs")]
    [InlineData("Directory.Build.props")]
    [InlineData("proto/api.proto")]
    [InlineData("console/dist/index.html")]
    public void AChangedSource_IsBuilt(string file) => Assert.NotEqual(Fingerprint(), FingerprintAfter(file));

    [Theory]
    [InlineData("vg-calls/1/agent.wav")]
    [InlineData("mydata/postgres/base/1")]
    [InlineData(".data/api-key")]
    [InlineData("january.csv")]
    [InlineData("docs/page.md")]
    [InlineData("media/README.md")]
    [InlineData("media/obj/x.cache")]
    public void WhatPeopleLeaveInTheirWorkingCopy_IsNot(string file) => Assert.Equal(Fingerprint(), FingerprintAfter(file));

    [Fact]
    public void AFolderThatIsLeftOut_DoesNotCount() => Assert.Equal(Fingerprint("tests"), FingerprintAfter("tests/Media.Tests/New.cs", "tests"));

    private string FingerprintAfter(string file, string leftOut = "")
    {
        Write(file);
        return Fingerprint(leftOut);
    }

    private void Write(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(copy.Path(file))!);
        File.AppendAllText(copy.Path(file), "x");
    }

    private string Fingerprint(string leftOut = "")
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", $"root=$1; source \"$2\"; fingerprint {leftOut}", "bash", copy.Folder, Script()])
        {
            RedirectStandardOutput = true,
        })!;
        var line = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        Assert.Equal(0, bash.ExitCode);
        return line;
    }

    private static string Script([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../scripts/common.sh"));
}
