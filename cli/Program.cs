Console.Error.WriteLine("usage: vg talk FILE.wav");
